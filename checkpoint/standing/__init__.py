"""Where we stand (态势): the figures of command, each defined once, for its page, its wall and the report of the day."""
