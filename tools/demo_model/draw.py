# SPDX-License-Identifier: Apache-2.0
"""Draws digits: strokes through a few points, bent, turned, stretched, thickened and smeared at random.

The pictures look like MNIST's (28x28, light on dark, the digit in the middle 20x20) but none is copied from anywhere.
"""
import numpy as np

SIZE = 28
# Each digit has several ways to be written; each way is a list of strokes; a stroke is ("curve" | "line", points) with x to
# the right and y down in the unit square. Curves pass through their points.
SHAPES = {
    0: [[("curve", [(.5, .05), (.24, .22), (.18, .55), (.32, .88), (.55, .95), (.77, .75), (.8, .42), (.68, .12), (.5, .05)])],
        [("curve", [(.62, .1), (.34, .1), (.14, .48), (.28, .88), (.58, .93), (.84, .6), (.74, .2), (.5, .06)])]],
    1: [[("line", [(.5, .05), (.5, .95)])],
        [("line", [(.62, .05), (.4, .95)])],
        [("line", [(.3, .28), (.52, .06), (.52, .95)])],
        [("line", [(.3, .28), (.52, .06), (.52, .93)]), ("line", [(.28, .94), (.76, .94)])]],
    2: [[("curve", [(.2, .28), (.34, .09), (.62, .08), (.76, .28), (.58, .55), (.2, .93)]), ("line", [(.2, .93), (.82, .91)])],
        [("curve", [(.22, .22), (.45, .06), (.74, .18), (.7, .45), (.42, .75), (.2, .88), (.28, .72), (.5, .84), (.85, .92)])],
        [("curve", [(.18, .3), (.4, .07), (.75, .2), (.62, .52), (.3, .78), (.15, .93)]), ("line", [(.15, .93), (.55, .86), (.85, .93)])]],
    3: [[("curve", [(.2, .18), (.45, .06), (.72, .2), (.62, .42), (.4, .48)]), ("curve", [(.4, .48), (.72, .56), (.74, .82), (.46, .95), (.17, .83)])],
        [("line", [(.2, .09), (.76, .09), (.45, .42)]), ("curve", [(.45, .42), (.76, .55), (.74, .82), (.46, .95), (.18, .85)])],
        [("curve", [(.25, .1), (.6, .08), (.74, .25), (.5, .44), (.72, .62), (.7, .85), (.42, .95), (.2, .9)])]],
    4: [[("line", [(.3, .06), (.2, .55), (.82, .53)]), ("line", [(.66, .25), (.6, .95)])],
        [("line", [(.64, .05), (.14, .66), (.88, .66)]), ("line", [(.64, .05), (.64, .95)])],
        [("curve", [(.26, .1), (.22, .38), (.36, .54), (.7, .46)]), ("line", [(.74, .08), (.68, .95)])]],
    5: [[("line", [(.76, .08), (.32, .08), (.27, .44)]), ("curve", [(.27, .44), (.52, .38), (.76, .58), (.7, .84), (.44, .95), (.17, .85)])],
        [("curve", [(.34, .1), (.3, .42), (.55, .42), (.74, .62), (.62, .88), (.36, .95), (.18, .86)]), ("line", [(.34, .1), (.78, .06)])]],
    6: [[("curve", [(.66, .05), (.4, .25), (.23, .58), (.28, .84), (.5, .95), (.73, .82), (.7, .6), (.5, .52), (.27, .68)])],
        [("curve", [(.45, .05), (.28, .4), (.24, .72), (.42, .94), (.68, .86), (.7, .64), (.48, .56), (.28, .7)])]],
    7: [[("line", [(.17, .1), (.8, .1), (.42, .95)])],
        [("line", [(.17, .1), (.8, .1), (.42, .95)]), ("line", [(.34, .5), (.72, .48)])],
        [("curve", [(.18, .2), (.24, .1), (.5, .13), (.8, .1)]), ("curve", [(.8, .1), (.6, .42), (.48, .95)])]],
    8: [[("curve", [(.52, .48), (.28, .3), (.5, .05), (.73, .27), (.5, .48), (.25, .73), (.5, .95), (.76, .72), (.52, .48)])],
        [("curve", [(.72, .2), (.5, .06), (.3, .22), (.46, .44), (.7, .66), (.62, .9), (.36, .92), (.28, .7), (.5, .5), (.72, .22)])]],
    9: [[("curve", [(.72, .28), (.52, .06), (.28, .22), (.34, .48), (.58, .48), (.72, .28)]), ("line", [(.72, .28), (.66, .95)])],
        [("curve", [(.72, .26), (.5, .06), (.28, .24), (.36, .48), (.6, .46), (.72, .26), (.72, .6), (.6, .88), (.34, .94)])],
        [("curve", [(.7, .16), (.44, .07), (.26, .3), (.44, .5), (.68, .3)]), ("curve", [(.7, .14), (.68, .5), (.56, .95)])]],
}
POINTS = 112  # along all strokes of one digit: closer than half a pixel


def curve(points):
    """Points along the Catmull-Rom spline through the given ones."""
    p = np.array([2 * points[0] - points[1], *points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, 24, endpoint=False)[:, None]
    out = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:]):
        out.append(.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate(out + [points[-1:]])


def along(points, n):
    """n points at equal distances along a chain of straight pieces."""
    step = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    at = np.linspace(0, step[-1], n)
    return np.stack([np.interp(at, step, points[:, k]) for k in (0, 1)], axis=1)


def strokes(digit, rng):
    """POINTS points of one digit written in one of its ways, in pixels around the middle of the picture."""
    way = SHAPES[digit][rng.integers(len(SHAPES[digit]))]
    bent = []
    moved = {}
    for kind, points in way:
        p = np.array([moved.setdefault(q, np.array(q) + rng.normal(0, .075, 2)) for q in points])
        bent.append(curve(p) if kind == "curve" else p)
    lengths = np.array([np.linalg.norm(np.diff(p, axis=0), axis=1).sum() for p in bent])
    counts = np.maximum(2, np.floor(POINTS * lengths / lengths.sum())).astype(int)
    counts[-1] += POINTS - counts.sum()
    p = np.concatenate([along(b, max(2, n)) for b, n in zip(bent, counts)])[:POINTS]
    p = np.concatenate([p, np.repeat(p[-1:], POINTS - len(p), axis=0)]) - .5
    angle, shear = rng.normal(0, .16), rng.normal(.13, .27)
    width, height = rng.uniform(.55, 1.2), rng.uniform(.85, 1.05)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    p = p @ np.array([[width, 0], [-shear * height, height]]) @ turn
    span = p.max(0) - p.min(0)
    p = (p - p.mean(0)) * (rng.uniform(17, 20.5) / span.max())  # the middle of the ink is the middle of the picture
    return p + rng.normal(0, .9, 2)


def render(points, radius, soft, noise, rng):
    """Pictures [n, 28, 28] in 0..1 of strokes [n, POINTS, 2]: the distance of each pixel to the nearest stroke point."""
    yx = np.mgrid[0:SIZE, 0:SIZE].reshape(2, -1).T.astype(np.float32) - (SIZE - 1) / 2
    out = np.empty((len(points), SIZE * SIZE), np.float32)
    for i, p in enumerate(points.astype(np.float32)):
        d = np.full(SIZE * SIZE, np.inf, np.float32)
        dx = (yx[:, 1, None] - p[None, :, 0]) ** 2
        dx += (yx[:, 0, None] - p[None, :, 1]) ** 2
        np.min(dx, axis=1, out=d)
        out[i] = np.clip((radius[i] - np.sqrt(d)) / soft[i] + .5, 0, 1)
    out += rng.normal(0, 1, out.shape).astype(np.float32) * noise[:, None] * (out > 0)
    return np.clip(out, 0, 1).reshape(-1, SIZE, SIZE)


def digits(n, seed):
    """n pictures [n, 28, 28] in 0..1, evenly over the digits, and what they show."""
    rng = np.random.default_rng(seed)
    what = rng.permutation(np.arange(n) % 10)
    points = np.stack([strokes(d, rng) for d in what])
    picture = render(points, rng.uniform(.7, 2.0, n), rng.uniform(.9, 1.8, n), rng.uniform(0, .12, n), rng)
    return picture, what
