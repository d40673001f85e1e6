"""The serving side: clients of a model server, the store of Semantic IDs and a local server.

Knows the SavedModels by their signatures and imports nothing of the trainer.
"""
