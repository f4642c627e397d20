"""What the tests of all pictures check."""


def assert_inside(figure):
    """Check that nothing is drawn beyond the edge of a figure."""
    figure.canvas.draw()
    # Without ticks that are outside of the limits, which nobody draws.
    drawn, whole = figure.get_tightbbox(), figure.bbox_inches
    assert drawn.width > 0
    assert drawn.x0 >= -0.01
    assert drawn.y0 >= -0.01
    assert drawn.x1 <= whole.width + 0.01
    assert drawn.y1 <= whole.height + 0.01
