"""Tests, by what they need: unit nothing, services and web a database, browser Chromium; guards keep the house rules."""
