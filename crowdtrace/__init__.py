"""The deployment: settings, addresses, schedule, and the apps above all others, `site` and `town`."""
