"""The lessons' stylesheet and their two scripts."""
