//! The rules of the brief over what a page draws.

use i_slint_core::lengths::LogicalRect;
use kiosk::view::palette::Rgb;

use super::{
    colours::{LEAST_CONTRAST, Pixels, Written, contrast},
    seen::{Cover, Seen, Target, Text},
};

/// The smallest target for a finger, px.
const TARGET: f32 = 48.0;
/// The smallest text, px.
const SMALLEST: f32 = 16.0;
/// What is read at two metres, px.
const FACT: f32 = 44.0;

/// The largest share of a text's place that something else may take, such as the corner of a plate.
const ACROSS: f64 = 0.01;
/// Pixels of another hue that the lines of three computers make where they meet; nobody sees so few.
const CROSSINGS: usize = 32;

/// Which rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A target is at least 48 px wide and high and on the screen.
    Touch,
    /// Targets do not lie on each other.
    Apart,
    /// No text is smaller than 16 px.
    Size,
    /// One fact is at least 44 px.
    Fact,
    /// Nothing is cut off, shortened, covered or run over.
    Room,
    /// Text stands out from what is behind it.
    Contrast,
    /// Hue belongs to nodes.
    Hue,
}

/// A rule that a page breaks, and where.
pub struct Broken {
    pub rule: Rule,
    pub what: String,
}

/// All that is wrong with a page of this size.
pub fn broken(seen: &Seen, pixels: &Pixels) -> Vec<Broken> {
    let screen = LogicalRect::new(
        Default::default(),
        [pixels.0.width() as f32, pixels.0.height() as f32].into(),
    );
    let texts: Vec<&Text> = seen.texts.iter().filter(|text| !is_hidden(text, seen)).collect();
    let mut found = Vec::new();
    let mut add = |rule, what| found.push(Broken { rule, what });
    seen.targets.iter().for_each(|target| touch(target, seen, screen, &mut add));
    for text in &texts {
        if text.font_size < SMALLEST {
            add(Rule::Size, format!("{} is {} px", named(text), text.font_size));
        }
        let is_elsewhere = !text.room.intersects(&screen);
        if is_elsewhere {
            continue;
        }
        room(text, seen, screen, &mut add);
        legible(text, pixels, &mut add);
    }
    for (index, text) in texts.iter().enumerate() {
        for other in &texts[index + 1..] {
            if meet(text.ink, other.ink) {
                add(Rule::Room, format!("{} runs into {}", named(text), named(other)));
            }
        }
    }
    if !texts.iter().any(|text| FACT <= text.font_size) {
        add(Rule::Fact, format!("no text of {FACT} px"));
    }
    let pictures = seen.covers.iter().filter(|cover| cover.is_picture);
    let foreign = pixels.foreign(&pictures.map(|picture| picture.area).collect::<Vec<_>>());
    let all: usize = foreign.iter().map(|(_, count)| count).sum();
    if let Some(([red, green, blue], most)) = foreign.first().filter(|_| CROSSINGS < all) {
        add(Rule::Hue, format!("{all} pixels; {most} are #{red:02X}{green:02X}{blue:02X}"));
    }
    found
}

fn named(text: &Text) -> String {
    format!("'{}' ({})", text.text, text.element)
}

/// Whether something that is drawn later covers all of it.
fn is_hidden(text: &Text, seen: &Seen) -> bool {
    seen.covers.iter().any(|cover| text.order < cover.order && cover.area.contains_rect(&text.ink))
}

/// Whether two areas share more than a pixel's width and height.
fn meet(one: LogicalRect, other: LogicalRect) -> bool {
    one.intersection(&other).is_some_and(|both| 1.0 < both.width() && 1.0 < both.height())
}

/// Whether one area is within another, to a pixel.
fn within(inner: LogicalRect, outer: LogicalRect) -> bool {
    outer.inflate(1.0, 1.0).contains_rect(&inner)
}

fn touch(target: &Target, seen: &Seen, screen: LogicalRect, add: &mut impl FnMut(Rule, String)) {
    let Target { label, element, area, order } = target;
    let name = format!("'{label}' ({element}) at {:?}", (area.origin.x, area.origin.y));
    if area.width() < TARGET || area.height() < TARGET || !screen.contains_rect(area) {
        add(Rule::Touch, format!("{name} is {} x {} px", area.width(), area.height()));
    }
    // A plate on a picture takes its part of it.
    let later = seen.targets.iter().filter(|later| *order < later.order);
    let on_it: Vec<&Target> = later.filter(|later| meet(later.area, *area)).collect();
    for later in &on_it {
        if !within(later.area, *area) {
            let other = format!("'{}' ({})", later.label, later.element);
            add(Rule::Apart, format!("{name} lies partly below {other}"));
        }
    }
}

fn room(text: &Text, seen: &Seen, screen: LogicalRect, add: &mut impl FnMut(Rule, String)) {
    let seen_of_it = text.room.intersection(&screen).unwrap_or_default();
    if text.shortened {
        add(Rule::Room, format!("{} is shortened", named(text)));
    } else if !within(text.ink, seen_of_it) {
        let (ink, room) = (text.ink, text.room);
        add(Rule::Room, format!("{} is cut off: {ink:?} in {room:?}", named(text)));
    }
    let later = seen.covers.iter().filter(|cover| text.order < cover.order);
    if let Some(Cover { area, .. }) = later.into_iter().find(|cover| meet(cover.area, text.ink)) {
        add(Rule::Room, format!("{} is covered by what is at {area:?}", named(text)));
    }
    let middle = text.ink.center();
    let mut before = seen.covers.iter().filter(|cover| cover.order < text.order);
    let plate = before.rfind(|cover| cover.area.contains(middle));
    if let Some(Cover { area, .. }) = plate.filter(|plate| !within(text.ink, plate.area)) {
        add(Rule::Room, format!("{} runs over its plate {area:?}", named(text)));
    }
}

fn legible(text: &Text, pixels: &Pixels, add: &mut impl FnMut(Rule, String)) {
    let colour: Rgb = [text.colour.red(), text.colour.green(), text.colour.blue()];
    let Some(Written { behind, best, across }) = pixels.written(text.ink, colour) else {
        return add(Rule::Contrast, format!("{} is all of one colour", named(text)));
    };
    // What is drawn may be darker than what was asked for.
    let ratio = contrast(colour, behind).min(best);
    if ratio < LEAST_CONTRAST {
        add(Rule::Contrast, format!("{} has {ratio:.2}:1 on {behind:02X?}", named(text)));
    }
    if ACROSS < across {
        let percent = 100.0 * across;
        add(Rule::Contrast, format!("{} is crossed by {percent:.1} % of others", named(text)));
    }
}
