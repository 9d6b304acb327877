"""The oracle: any SAM gets a verdict, and a wrong one is told its mistake."""
