"""Drawing results on images: masks, skeletons, labels, the HUD; and hiding people."""
