"""The sections of the report, one file each; `isthmus.reports.registration` finds them."""
