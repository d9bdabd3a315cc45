"""Pages for people who run venues: forms that work without a script, using the services of the app."""
