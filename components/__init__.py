"""The custom TFX components, a folder each: `component.py` declares, `executor.py` works."""
