"""Labels of images by a person: the table of them, a session of labelling, and labels that look wrong."""
