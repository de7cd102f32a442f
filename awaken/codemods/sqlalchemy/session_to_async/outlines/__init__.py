"""The effect of a component, in lines that people can read; begin with ``effect_lines``."""
