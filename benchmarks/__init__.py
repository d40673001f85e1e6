"""What measures the project against its peers; one command each, JSON out."""
