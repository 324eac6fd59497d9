// MPDATA on the GPU: a thread for every cell, a kernel for every pass or part of one.
//
// The formulae are those of mpdata/formulae.rs, operation for operation in the same order, so every bit is the same;
// nothing is contracted (-ffp-contract=off). Rows lie in memory as rows.rs says; their ends are found by index here, so
// the periodic neighbours that stand at both ends of a row are neither read nor written.

#include "../../cuda/kernels/device.h"

// The constants of real.rs.
template <typename T> struct Real;
template <> struct Real<float> {
    static constexpr float EPSILON = 1e-15f, MARGIN = 1.0f - 16.0f * 1.1920929e-7f, TRACE = 1e-20f;
    INLINE static float abs(float a) { return __builtin_fabsf(a); }
};
template <> struct Real<double> {
    static constexpr double EPSILON = 1e-15, MARGIN = 1.0 - 16.0 * 2.220446049250313e-16, TRACE = 1e-250;
    INLINE static double abs(double a) { return __builtin_fabs(a); }
};

template <typename T> INLINE T larger(T a, T b) { return a < b ? b : a; }
template <typename T> INLINE T smaller(T a, T b) { return b < a ? b : a; }

// Which cells a launch computes: rows first to first + count of rows of n cells, pitch entries apart, the first cell
// after lead entries.
struct Window {
    u32 pitch, lead, n, first, count;
    // This thread's cell.
    u32 g, j;

    INLINE Window(u32 pitch, u32 lead, u32 n, u32 first, u32 count)
        : pitch(pitch), lead(lead), n(n), first(first), count(count), g(first + blockIdx.y * blockDim.y + threadIdx.y),
          j(blockIdx.x * blockDim.x + threadIdx.x) {}
    INLINE bool has_cell() const { return j < n && g < first + count; }
    INLINE u32 left(u32 j) const { return j == 0 ? n - 1 : j - 1; }
    INLINE u32 right(u32 j) const { return j == n - 1 ? 0 : j + 1; }
};

// A field, or numbers on faces, by row and cell.
template <typename T> struct Rows {
    T *entries;
    u32 pitch, lead;

    INLINE Rows(T *entries, const Window &window) : entries(entries), pitch(window.pitch), lead(window.lead) {}
    INLINE T &operator()(u32 g, u32 j) const { return entries[g * pitch + lead + j]; }
};

// The Courant numbers of the faces: the steady flow at its strength, and what is stirred.
template <typename T> struct Motion {
    Rows<const T> steady_x, steady_y, stir_x, stir_y;
    T strength, share;
    bool stirred;

    INLINE T along(const Rows<const T> &steady, const Rows<const T> &stir, u32 g, u32 j) const {
        if (stirred) {
            return steady(g, j) * strength + stir(g, j) * share;
        }
        return steady(g, j) * strength;
    }
    INLINE T x(u32 g, u32 j) const { return along(steady_x, stir_x, g, j); }
    INLINE T y(u32 g, u32 j) const { return along(steady_y, stir_y, g, j); }
};

template <typename T> INLINE T donor(T left, T right, T courant) {
    return larger(courant, T(0)) * left + smaller(courant, T(0)) * right;
}

template <typename T> INLINE T budget(T psi, T x_low, T x_high, T y_low, T y_high) {
    T sum = psi + (x_low - x_high) + (y_low - y_high);
    return Real<T>::abs(sum) < Real<T>::TRACE ? T(0) : sum;
}

template <typename T> INLINE T corrective(T left, T right, T down, T up, T courant, T across, bool gauge) {
    T along = Real<T>::abs(courant) - courant * courant;
    across = T(0.5) * T(0.25) * courant * across;
    if (gauge) {
        return along * (T(0.5) * (right - left)) - across * (T(0.25) * (up - down));
    }
    T a = right + left + Real<T>::EPSILON, b = up + down + Real<T>::EPSILON;
    return (along * (right - left) * b - across * (up - down) * a) / (a * b);
}

// The corrective velocity of the x face before cell (g, j).
template <typename T>
INLINE T corrective_x(const Rows<const T> &psi, const Motion<T> &motion, const Window &w, u32 g, u32 j, bool gauge) {
    u32 l = w.left(j), r = w.right(j);
    return corrective(psi(g - 1, j), psi(g, j), psi(g - 1, l) + psi(g, l), psi(g - 1, r) + psi(g, r), motion.x(g, j),
                      (motion.y(g - 1, j) + motion.y(g - 1, r)) + (motion.y(g, j) + motion.y(g, r)), gauge);
}

// The corrective velocity of the y face before cell (g, j).
template <typename T>
INLINE T corrective_y(const Rows<const T> &psi, const Motion<T> &motion, const Window &w, u32 g, u32 j, bool gauge) {
    u32 l = w.left(j);
    return corrective(psi(g, l), psi(g, j), psi(g - 1, l) + psi(g - 1, j), psi(g + 1, l) + psi(g + 1, j),
                      motion.y(g, j), (motion.x(g, l) + motion.x(g, j)) + (motion.x(g + 1, l) + motion.x(g + 1, j)),
                      gauge);
}

// What a corrective velocity lets through its face; with the infinite gauge it is that already.
template <typename T> INLINE T flux(T left, T right, T velocity, bool gauge) {
    return gauge ? velocity : donor(left, right, velocity);
}

// The share of the flux of a face that the cells on both sides can take.
template <typename T> INLINE T limited_share(T direction, T up_l, T up_r, T down_l, T down_r) {
    T right = smaller(down_l, up_r), left = smaller(up_l, down_r);
    return smaller(T(1), T(0) < direction ? right : left);
}

// Expands to the parameters of a flow, and to what is made of them.
#define MOTION(T) const T *steady_x, const T *steady_y, const T *stir_x, const T *stir_y, T strength, T share, u32 stirred
#define MOTION_OF(T) \
    Motion<T> motion{{steady_x, w}, {steady_y, w}, {stir_x, w}, {stir_y, w}, strength, share, stirred != 0}
#define WINDOW u32 pitch, u32 lead, u32 n, u32 first, u32 count
#define WINDOW_OF \
    Window w(pitch, lead, n, first, count); \
    if (!w.has_cell()) return; \
    u32 g = w.g, j = w.j

// Defines a kernel for both number types from a template of the same name.
#define KERNELS(name, parameters, arguments) \
    extern "C" __global__ void name##_f32 parameters(float) { name##_body<float> arguments; } \
    extern "C" __global__ void name##_f64 parameters(double) { name##_body<double> arguments; } \
    HOST_BUILT(name##_f32) HOST_BUILT(name##_f64)

// The donor-cell pass.
template <typename T> INLINE void donor_body(const T *psi_, T *out_, MOTION(T), WINDOW) {
    WINDOW_OF;
    MOTION_OF(T);
    Rows<const T> psi(psi_, w);
    u32 l = w.left(j), r = w.right(j);
    T here = psi(g, j);
    T x_low = donor(psi(g - 1, j), here, motion.x(g, j)), x_high = donor(here, psi(g + 1, j), motion.x(g + 1, j));
    T y_low = donor(psi(g, l), here, motion.y(g, j)), y_high = donor(here, psi(g, r), motion.y(g, r));
    Rows<T>(out_, w)(g, j) = budget(here, x_low, x_high, y_low, y_high);
}
#define DONOR(T) (const T *psi, T *out, MOTION(T), WINDOW)
KERNELS(donor, DONOR, (psi, out, steady_x, steady_y, stir_x, stir_y, strength, share, stirred, pitch, lead, n, first, count))

// A corrective pass that nothing limits and none follows: velocities, fluxes and budget in one.
template <typename T> INLINE void corrected_body(const T *psi_, T *out_, u32 gauge, MOTION(T), WINDOW) {
    WINDOW_OF;
    MOTION_OF(T);
    Rows<const T> psi(psi_, w);
    u32 l = w.left(j), r = w.right(j);
    T here = psi(g, j);
    T x_low = flux(psi(g - 1, j), here, corrective_x(psi, motion, w, g, j, gauge), gauge);
    T x_high = flux(here, psi(g + 1, j), corrective_x(psi, motion, w, g + 1, j, gauge), gauge);
    T y_low = flux(psi(g, l), here, corrective_y(psi, motion, w, g, j, gauge), gauge);
    T y_high = flux(here, psi(g, r), corrective_y(psi, motion, w, g, r, gauge), gauge);
    Rows<T>(out_, w)(g, j) = budget(here, x_low, x_high, y_low, y_high);
}
#define CORRECTED(T) (const T *psi, T *out, u32 gauge, MOTION(T), WINDOW)
KERNELS(corrected, CORRECTED, (psi, out, gauge, steady_x, steady_y, stir_x, stir_y, strength, share, stirred, pitch, lead, n, first, count))

// The corrective velocities of the faces before the cells; of the last row only those of its x faces.
template <typename T> INLINE void velocities_body(const T *psi_, T *x_, T *y_, u32 gauge, MOTION(T), WINDOW) {
    WINDOW_OF;
    MOTION_OF(T);
    Rows<const T> psi(psi_, w);
    Rows<T>(x_, w)(g, j) = corrective_x(psi, motion, w, g, j, gauge);
    if (g + 1 < first + count) {
        Rows<T>(y_, w)(g, j) = corrective_y(psi, motion, w, g, j, gauge);
    }
}
#define VELOCITIES(T) (const T *psi, T *x, T *y, u32 gauge, MOTION(T), WINDOW)
KERNELS(velocities, VELOCITIES, (psi, x, y, gauge, steady_x, steady_y, stir_x, stir_y, strength, share, stirred, pitch, lead, n, first, count))

// What of the incoming (up) and outgoing (down) corrective fluxes a cell can take without a new extremum.
template <typename T>
INLINE void limits_body(const T *old_, const T *psi_, const T *x_, const T *y_, T *up_, T *down_, u32 gauge, WINDOW) {
    WINDOW_OF;
    Rows<const T> old(old_, w), psi(psi_, w), x(x_, w), y(y_, w);
    u32 l = w.left(j), r = w.right(j);
    T here = psi(g, j), below = psi(g - 1, j), above = psi(g + 1, j), before = psi(g, l), after = psi(g, r);
    T old_here = old(g, j), old_below = old(g - 1, j), old_above = old(g + 1, j);
    T old_before = old(g, l), old_after = old(g, r);
    T most = larger(larger(larger(old_below, below), larger(old_above, above)),
                    larger(larger(old_before, before), larger(old_after, after)));
    T least = smaller(smaller(smaller(old_below, below), smaller(old_above, above)),
                      smaller(smaller(old_before, before), smaller(old_after, after)));
    T x_low = flux(below, here, x(g, j), gauge), x_high = flux(here, above, x(g + 1, j), gauge);
    T y_low = flux(before, here, y(g, j), gauge), y_high = flux(here, after, y(g, r), gauge);
    T enters = larger(x_low, T(0)) - smaller(x_high, T(0)) + (larger(y_low, T(0)) - smaller(y_high, T(0)));
    T leaves = larger(x_high, T(0)) - smaller(x_low, T(0)) + (larger(y_high, T(0)) - smaller(y_low, T(0)));
    Rows<T>(up_, w)(g, j) =
        (larger(most, larger(old_here, here)) - here) * Real<T>::MARGIN / (enters + Real<T>::EPSILON);
    Rows<T>(down_, w)(g, j) =
        (here - smaller(least, smaller(old_here, here))) * Real<T>::MARGIN / (leaves + Real<T>::EPSILON);
}
#define LIMITS(T) (const T *old, const T *psi, const T *x, const T *y, T *up, T *down, u32 gauge, WINDOW)
KERNELS(limits, LIMITS, (old, psi, x, y, up, down, gauge, pitch, lead, n, first, count))

// The budget of a corrective pass whose velocities are there; they are limited unless `unlimited`. Which way a flux goes
// is asked of its velocity if that is kept for another pass, as the processor does.
template <typename T>
INLINE void carried_body(const T *psi_, T *out_, const T *x_, const T *y_, const T *up_, const T *down_, u32 gauge,
                         u32 unlimited, u32 keep, WINDOW) {
    WINDOW_OF;
    Rows<const T> psi(psi_, w), x(x_, w), y(y_, w), up(up_, w), down(down_, w);
    u32 l = w.left(j), r = w.right(j);
    T here = psi(g, j);
    T vx_low = x(g, j), vx_high = x(g + 1, j), vy_low = y(g, j), vy_high = y(g, r);
    T x_low = flux(psi(g - 1, j), here, vx_low, gauge), x_high = flux(here, psi(g + 1, j), vx_high, gauge);
    T y_low = flux(psi(g, l), here, vy_low, gauge), y_high = flux(here, psi(g, r), vy_high, gauge);
    if (!unlimited) {
        T u = up(g, j), d = down(g, j);
        x_low = x_low * limited_share(keep ? vx_low : x_low, up(g - 1, j), u, down(g - 1, j), d);
        x_high = x_high * limited_share(keep ? vx_high : x_high, u, up(g + 1, j), d, down(g + 1, j));
        y_low = y_low * limited_share(keep ? vy_low : y_low, up(g, l), u, down(g, l), d);
        y_high = y_high * limited_share(keep ? vy_high : y_high, u, up(g, r), d, down(g, r));
    }
    Rows<T>(out_, w)(g, j) = budget(here, x_low, x_high, y_low, y_high);
}
#define CARRIED(T) (const T *psi, T *out, const T *x, const T *y, const T *up, const T *down, u32 gauge, u32 unlimited, u32 keep, WINDOW)
KERNELS(carried, CARRIED, (psi, out, x, y, up, down, gauge, unlimited, keep, pitch, lead, n, first, count))

// The limited velocities that another pass corrects the error of.
template <typename T>
INLINE void limited_body(const T *x_, const T *y_, const T *up_, const T *down_, T *limited_x, T *limited_y, WINDOW) {
    WINDOW_OF;
    Rows<const T> x(x_, w), y(y_, w), up(up_, w), down(down_, w);
    u32 l = w.left(j);
    T u = up(g, j), d = down(g, j), vx = x(g, j), vy = y(g, j);
    Rows<T>(limited_x, w)(g, j) = vx * limited_share(vx, up(g - 1, j), u, down(g - 1, j), d);
    Rows<T>(limited_y, w)(g, j) = vy * limited_share(vy, up(g, l), u, down(g, l), d);
}
#define LIMITED(T) (const T *x, const T *y, const T *up, const T *down, T *limited_x, T *limited_y, WINDOW)
KERNELS(limited, LIMITED, (x, y, up, down, limited_x, limited_y, pitch, lead, n, first, count))

// The rank's tile of the picture: a thread for every pixel, which is the mean of fine times fine cells (paint.rs).
template <typename T>
INLINE void painted_body(const T *psi_, u8 *tile, u32 width, u32 height, u32 fine, u32 pitch, u32 lead, u32 first) {
    u32 column = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (width <= column || height <= y) return;
    float amount;
    if (fine == 1) {
        amount = float(psi_[(first + column) * pitch + lead + y]);
    } else {
        float sum = 0;
        for (u32 row = 0; row < fine; row++) {
            const T *cells = psi_ + ((first + fine * column + row) * pitch + lead + fine * y);
            float part = 0;
            for (u32 k = 0; k < fine; k++) part = part + float(cells[k]);
            sum = sum + part;
        }
        amount = sum / float(fine * fine);
    }
    float level = amount * 255.0f + 0.5f;
    // Not a number is nothing, as a conversion in Rust has it.
    level = 0.0f < level ? level : 0.0f;
    tile[y * width + column] = u8(u32(level < 255.0f ? level : 255.0f));
}
#define PAINTED(T) (const T *psi, u8 *tile, u32 width, u32 height, u32 fine, u32 pitch, u32 lead, u32 first)
KERNELS(painted, PAINTED, (psi, tile, width, height, fine, pitch, lead, first))
