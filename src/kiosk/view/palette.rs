//! Colours of the picture: every rank's region runs from the ground through its hue to white.

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// The hues of the nodes, in the order of the configuration; the same as `Theme.nodes`.
pub const NODES: [Rgb; 8] = [
    [0xFF, 0xB0, 0x00],
    [0x4F, 0xB3, 0xFF],
    [0xFF, 0x24, 0xA2],
    [0xC6, 0xFF, 0xC9],
    [0x73, 0x76, 0xF5],
    [0x51, 0xF8, 0xFF],
    [0xE3, 0x77, 0x3B],
    [0x1F, 0xAB, 0x79],
];

/// The black glass; the same as `Theme.ground`.
pub const GROUND: Rgb = [0x0B, 0x11, 0x18];
/// What is written; the same as `Theme.ink`.
const INK: Rgb = [0xEA, 0xF0, 0xF6];
const WHITE: Rgb = [0xFF; 3];
/// Where on the way from ground to near white the hue itself stands.
const HUE_AT: f64 = 0.62;

/// The colour of one rank of a node: the node's hue for the first, then paler and darker ones in turn, so that
/// a run on one machine still shows its parts.
pub fn shade(node: usize, rank_on_node: usize) -> Rgb {
    const TOWARDS: [(Rgb, f64); 4] = [(WHITE, 0.0), (WHITE, 0.55), (GROUND, 0.5), (WHITE, 0.25)];
    let (other, share) = TOWARDS[rank_on_node % TOWARDS.len()];
    mix(NODES[node % NODES.len()], other, share)
}

/// The 256 colours of an amount from 0 (ground) through `hue` to white.
pub fn table(hue: Rgb) -> [Rgb; 256] {
    std::array::from_fn(|amount| {
        let amount = amount as f64 / 255.0;
        if amount < HUE_AT {
            mix(GROUND, hue, amount / HUE_AT)
        } else {
            mix(hue, WHITE, (amount - HUE_AT) / (1.0 - HUE_AT))
        }
    })
}

/// Bytes a second from which a seam begins to glow.
const FAINTEST_SEAM: f64 = 1e3;
/// Bytes a second with which a seam is as bright as ink: what a link of 1 Gbit/s carries.
const BRIGHTEST_SEAM: f64 = 125e6;

/// The colour of a rank's side of its seams while it sends so many bytes a second to its neighbours.
///
/// From the ground at 1 kB/s and below to ink at 125 MB/s and above, every tenfold of bytes brighter by the same step
/// for the eye: the share of the way is the logarithm's, and as an amount of light its square. More bytes are never
/// darker; nothing sent is the ground.
pub fn seam(bytes_per_s: f64) -> Rgb {
    let way = (bytes_per_s / FAINTEST_SEAM).ln() / (BRIGHTEST_SEAM / FAINTEST_SEAM).ln();
    // The logarithm of 0 is the ground's too.
    let way = way.clamp(0.0, 1.0);
    mix(GROUND, INK, way * way)
}

/// A colour between two, by amount of light rather than by code value (IEC 61966-2-1).
fn mix(from: Rgb, to: Rgb, share: f64) -> Rgb {
    std::array::from_fn(|channel| {
        let (from, to) = (light(from[channel]), light(to[channel]));
        code(from + (to - from) * share)
    })
}

fn light(code: u8) -> f64 {
    let code = f64::from(code) / 255.0;
    if code <= 0.04045 { code / 12.92 } else { ((code + 0.055) / 1.055).powf(2.4) }
}

fn code(light: f64) -> u8 {
    let code =
        if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    (code * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance([red, green, blue]: Rgb) -> f64 {
        0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue)
    }

    #[test]
    fn more_of_the_tracer_is_never_darker() {
        for hue in NODES {
            let table = table(hue);
            for pair in table.windows(2) {
                // Rounding to 8 bits may take back a hair.
                assert!(luminance(pair[0]) < luminance(pair[1]) + 1e-3, "{pair:?} of {hue:02x?}");
            }
            assert_eq!((table[0], table[255]), (GROUND, WHITE));
        }
    }

    #[test]
    fn the_hues_are_those_of_the_theme() {
        let theme = include_str!("../../../ui/theme.slint");
        for [red, green, blue] in NODES {
            assert!(theme.contains(&format!("#{red:02X}{green:02X}{blue:02X}")));
        }
        let [red, green, blue] = GROUND;
        assert!(theme.contains(&format!("ground: #{red:02X}{green:02X}{blue:02X}")));
        let [red, green, blue] = INK;
        assert!(theme.contains(&format!(" ink: #{red:02X}{green:02X}{blue:02X}")));
    }

    #[test]
    fn a_seam_is_brighter_the_more_bytes_cross_it_and_dark_without_any() {
        assert_eq!([0.0, 1.0, 1e3].map(seam), [GROUND; 3]);
        assert_eq!([125e6, 1e9, f64::INFINITY].map(seam), [INK; 3]);
        let rates = (0..=20).map(|step| 1e3 * 125e3_f64.powf(f64::from(step) / 20.0));
        let lights: Vec<f64> = rates.map(|rate| luminance(seam(rate))).collect();
        assert!(lights.windows(2).all(|pair| pair[0] < pair[1]), "{lights:?}");
    }

    #[test]
    fn ranks_of_one_node_are_told_apart() {
        let shades: Vec<Rgb> = (0..4).map(|rank| shade(0, rank)).collect();
        for (index, shade) in shades.iter().enumerate() {
            assert!(!shades[..index].contains(shade));
        }
        assert_eq!(shades[0], NODES[0]);
    }
}
