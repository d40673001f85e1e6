"""ModelPusher: a blessed model becomes a new version in the folder that a model server watches."""
