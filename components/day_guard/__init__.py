"""DayGuard: a stop of the pipeline at a day that differs too much from the day before it."""
