"""Detection of anomalies: methods, decisions, reasons."""
