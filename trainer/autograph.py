"""Keeps AutoGraph out of Keras's own source.

TensorFlow 2.16 converts `tf_keras` line by line at the first `fit`, which multiplies start-up time
by seven and changes no result; TensorFlow 2.21 ships this rule. Import this module before the first
model is built.
"""

from tensorflow.python.autograph.core import config

if not any(getattr(rule, "_prefix", "") == "tf_keras" for rule in config.CONVERSION_RULES):
    config.CONVERSION_RULES = (config.DoNotConvert("tf_keras"), *config.CONVERSION_RULES)
