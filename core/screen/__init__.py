"""A whole screen: every image of many files measured, sorted and, on request, restored, on one machine or many."""
