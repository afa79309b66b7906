"""When accounts are read while nobody is there: schedules, the quota of unattended reads, runs and their outcome."""
