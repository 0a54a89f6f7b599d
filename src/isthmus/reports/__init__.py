"""Floor 7: metrics, plots and pages for any data and any model."""
