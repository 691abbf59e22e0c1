"""Approvals (审批): applications to enter, answered by village, town and command, and what a granted one asks at the barrier."""
