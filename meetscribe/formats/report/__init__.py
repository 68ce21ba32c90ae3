"""The report: one HTML page that holds everything, to read, to hear, to print. `page.py` puts it together."""
