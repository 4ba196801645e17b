//! Activations and their slopes, number by number.

/// `max(x, 0)`.
pub fn relu(x: f64) -> f64 {
    x.max(0.0)
}

/// Its slope, 0 at 0.
pub fn relu_slope(x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { 0.0 }
}

/// `x`, times `slope` where it is not positive.
pub fn leaky_relu(slope: f64, x: f64) -> f64 {
    if x > 0.0 { x } else { slope * x }
}

/// Its slope.
pub fn leaky_relu_slope(slope: f64, x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { slope }
}

/// The hyperbolic tangent.
pub fn tanh(x: f64) -> f64 {
    x.tanh()
}

/// Its slope.
pub fn tanh_slope(x: f64) -> f64 {
    1.0 / (x.cosh() * x.cosh())
}

/// The logistic function.
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Its slope.
pub fn sigmoid_slope(x: f64) -> f64 {
    sigmoid(x) * sigmoid(-x)
}

/// The exponential linear unit.
pub fn elu(alpha: f64, x: f64) -> f64 {
    if x > 0.0 { x } else { alpha * (x.exp() - 1.0) }
}

/// Its derivative.
pub fn elu_slope(alpha: f64, x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { alpha * x.exp() }
}

/// Bounds.
pub fn clip(min: f64, max: f64, x: f64) -> f64 {
    if x < min {
        min
    } else if x > max {
        max
    } else {
        x
    }
}

/// Its derivative.
pub fn clip_slope(min: f64, max: f64, x: f64) -> f64 {
    if x > min && x < max { 1.0 } else { 0.0 }
}
