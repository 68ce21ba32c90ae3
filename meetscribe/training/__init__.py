"""Everything that makes a model: corpora, augmentation, losses' schedules, language models, synthesis."""
