"""What people do with studies that exist: look, check, add, export, delete, and reckon before they run."""
