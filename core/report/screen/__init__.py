"""The report of a screen: one HTML file that holds all it shows."""

from parfocal.report.screen.write import write_screen_report, write_table_report

__all__ = ["write_screen_report", "write_table_report"]
