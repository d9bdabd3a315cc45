"""The deployment: settings, URLs, schedule, and the top apps, `site` and `town`."""
