"""Layout of the charts that the server draws as SVG, in drawing units. Axes, their ticks and paths are in `axes`."""
