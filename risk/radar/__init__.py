"""Official series in files and in the database, and files of forecasts."""
