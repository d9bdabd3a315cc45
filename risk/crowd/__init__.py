"""Crowd state and its inputs: air, cases, self-reports. Begin with `refresh`, which keeps it up to date."""
