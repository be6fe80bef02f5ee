"""What tools do with pictures: areas of them, holes filled."""
