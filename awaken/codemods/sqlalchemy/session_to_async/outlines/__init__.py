"""What a component comes to, in lines that one can read; begin with ``making``."""
