"""Pages for people who run venues: forms that work without a script, on the services of the app."""
