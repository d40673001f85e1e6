"""VocabularyGrower: a Transform graph that knows the categories of new examples."""
