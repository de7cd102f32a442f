"""Rules about engines, pools and connections."""
