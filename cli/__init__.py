"""The command line `sid`."""
