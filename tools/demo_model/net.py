# SPDX-License-Identifier: Apache-2.0
"""Two small networks, trained with numpy alone: dense layers and 3x3 convolutions, cross entropy, Adam."""
import numpy as np


class Dense:
    def __init__(self, n_in, n_out, rng):
        self.w = rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)).astype(np.float32)
        self.b = np.zeros(n_out, np.float32)

    def forward(self, x):
        self.x = x.reshape(len(x), -1)
        self.shape = x.shape
        return self.x @ self.w + self.b

    def backward(self, g):
        self.grad = [self.x.T @ g, g.sum(0)]
        return (g @ self.w.T).reshape(self.shape)


class Conv:
    """3x3 with zeros around: x [n, h, w, c], w [3, 3, c, o]; `stride` 1, or 2 with the zeros after (as TFLite's SAME for even sizes)."""

    def __init__(self, c, o, stride, rng):
        self.w = rng.normal(0, np.sqrt(2 / (9 * c)), (3, 3, c, o)).astype(np.float32)
        self.b = np.zeros(o, np.float32)
        self.stride = stride

    def pads(self, size):
        out = -(-size // self.stride)
        total = max(0, (out - 1) * self.stride + 3 - size)
        return total // 2, total - total // 2

    def forward(self, x):
        self.in_shape = x.shape
        self.pad = self.pads(x.shape[1])
        x = np.pad(x, ((0, 0), self.pad, self.pad, (0, 0)))
        win = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))[:, ::self.stride, ::self.stride]
        self.col = np.ascontiguousarray(win.transpose(0, 1, 2, 4, 5, 3)).reshape(-1, self.w[..., 0].size)
        self.out = win.shape[:3]
        return (self.col @ self.w.reshape(-1, self.b.size) + self.b).reshape(*self.out, -1)

    def backward(self, g):
        g2 = g.reshape(-1, self.b.size)
        self.grad = [(self.col.T @ g2).reshape(self.w.shape), g2.sum(0)]
        d = (g2 @ self.w.reshape(-1, self.b.size).T).reshape(*self.out, 3, 3, -1)
        n, h, w, c = self.in_shape
        x = np.zeros((n, h + sum(self.pad), w + sum(self.pad), c), np.float32)
        s = self.stride
        for i in range(3):
            for j in range(3):
                x[:, i:i + s * self.out[1]:s, j:j + s * self.out[2]:s] += d[:, :, :, i, j][:, :, :, :]
        return x[:, self.pad[0]:self.pad[0] + h, self.pad[0]:self.pad[0] + w]


class Relu:
    def forward(self, x):
        self.on = x > 0
        return x * self.on

    def backward(self, g):
        return g * self.on


class Pool:
    """Largest of 2x2."""

    def forward(self, x):
        n, h, w, c = x.shape
        v = x.reshape(n, h // 2, 2, w // 2, 2, c)
        y = v.max((2, 4))
        self.hit = v == y[:, :, None, :, None]
        return y

    def backward(self, g):
        n, h, _, w, _, c = self.hit.shape
        return (self.hit * g[:, :, None, :, None]).reshape(n, 2 * h, 2 * w, c)


def dense_net(rng):
    return [Dense(784, 128, rng), Relu(), Dense(128, 10, rng)]


def conv_net(rng):
    return [Conv(1, 8, 1, rng), Relu(), Pool(), Conv(8, 16, 1, rng), Relu(), Pool(), Conv(16, 32, 2, rng), Relu(),
            Dense(512, 10, rng)]


def forward(net, x):
    for layer in net:
        x = layer.forward(x)
    return x


def probabilities(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def accuracy(net, x, what):
    return np.mean([forward(net, x[i:i + 500]).argmax(1) == what[i:i + 500] for i in range(0, len(x) - 499, 500)])


def train(net, x, what, epochs, seed, shape, say):
    """Adam over batches of 100; the rate falls to zero along a half cosine."""
    rng = np.random.default_rng(seed)
    trained = [l for l in net if hasattr(l, "w")]
    moments = [[np.zeros_like(p) for p in (l.w, l.b, l.w, l.b)] for l in trained]
    steps, step = epochs * (len(x) // 100), 0
    for epoch in range(epochs):
        order, loss = rng.permutation(len(x)), 0
        for i in range(0, len(x) - 99, 100):
            at = order[i:i + 100]
            p = probabilities(forward(net, x[at].reshape(100, *shape)))
            loss -= np.log(p[np.arange(100), what[at]] + 1e-9).mean()
            g = (p - np.eye(10, dtype=np.float32)[what[at]]) / 100
            for layer in reversed(net):
                g = layer.backward(g)
            step += 1
            rate = 2e-3 * .5 * (1 + np.cos(np.pi * step / steps))
            for layer, m in zip(trained, moments):
                for k, (p, d) in enumerate(zip((layer.w, layer.b), layer.grad)):
                    m[k] = .9 * m[k] + .1 * d
                    m[k + 2] = .999 * m[k + 2] + .001 * d * d
                    p -= (rate * (m[k] / (1 - .9**step)) / (np.sqrt(m[k + 2] / (1 - .999**step)) + 1e-8)).astype(np.float32)
        say(f"  epoch {epoch + 1} of {epochs}: loss {loss / (len(x) // 100):.4f}")
