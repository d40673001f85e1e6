"""SchemaGen: TFX's, with room for what changes from day to day."""
