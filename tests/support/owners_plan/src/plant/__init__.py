"""Labels of a small plant."""
