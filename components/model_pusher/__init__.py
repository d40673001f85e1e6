"""ModelPusher: a blessed model as a new version in the folder that a model server watches."""
