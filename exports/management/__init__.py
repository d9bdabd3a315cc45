"""Management commands of this app, one file each in `commands/`."""
