//! What a window draws and where it can be tapped, read off Slint's own items: no page has to help.

use std::ops::ControlFlow;

use i_slint_core::{
    accessibility::AccessibleStringProperty,
    graphics::Color,
    item_rendering::{PlainOrStyledText, RenderText},
    item_tree::{ItemRc, ItemTreeRc, ParentItemTraversalMode},
    items::{
        BasicBorderRectangle, BorderRectangle, ClippedImage, ComplexText, ImageItem, Rectangle,
        SimpleText, TextHorizontalAlignment, TextOverflow, TextVerticalAlignment, TextWrap,
        TouchArea,
    },
    lengths::{LogicalLength, LogicalRect, LogicalSize},
    window::{WindowAdapterRc, WindowInner},
};

/// How much of a line's height is empty above the highest accent and below the lowest tail, in font sizes.
const ABOVE: f32 = 0.1;
const BELOW: f32 = 0.05;

/// A text that is drawn.
pub struct Text {
    pub text: String,
    /// Component and name, for the message.
    pub element: String,
    pub font_size: f32,
    pub colour: Color,
    /// Where its letters are, whether or not there is room for them.
    pub ink: LogicalRect,
    /// What it may draw in: its own rectangle and what clips it.
    pub room: LogicalRect,
    /// Some of it is left out for an ellipsis, or would be.
    pub shortened: bool,
    /// How many things are drawn before it.
    pub order: usize,
}

/// Something that takes a tap.
pub struct Target {
    /// What it says to who cannot see it; empty for what only keeps a finger from what lies behind.
    pub label: String,
    pub element: String,
    pub area: LogicalRect,
    pub order: usize,
}

/// Something opaque.
pub struct Cover {
    pub area: LogicalRect,
    pub order: usize,
    /// A picture that the program has drawn.
    pub is_picture: bool,
}

/// Everything on a window, in the order in which it is drawn.
#[derive(Default)]
pub struct Seen {
    pub texts: Vec<Text>,
    pub targets: Vec<Target>,
    pub covers: Vec<Cover>,
}

/// Looks at a window that is shown.
pub fn look_at(window: &slint::Window) -> Seen {
    let inner = WindowInner::from_pub(window);
    let (tree, adapter) = (inner.component(), inner.window_adapter());
    let mut seen = Seen::default();
    let mut order = 0;
    ItemRc::new_root(ItemTreeRc::clone(&tree)).visit_descendants(|item| {
        order += 1;
        if item.is_visible() {
            seen.add(item, &adapter, order);
        }
        ControlFlow::<()>::Continue(())
    });
    seen
}

impl Seen {
    fn add(&mut self, item: &ItemRc, adapter: &WindowAdapterRc, order: usize) {
        if let Some(text) = item.downcast::<ComplexText>() {
            self.texts.extend(read(text.as_pin_ref(), item, adapter, order));
        } else if let Some(text) = item.downcast::<SimpleText>() {
            self.texts.extend(read(text.as_pin_ref(), item, adapter, order));
        } else if let Some(area) = item.downcast::<TouchArea>() {
            let area = area.as_pin_ref().enabled().then(|| clipped(item)).flatten();
            self.targets.extend(area.map(|area| Target {
                label: label(item),
                element: element(item),
                area,
                order,
            }));
        } else if is_picture(item) || is_opaque(item) {
            let is_picture = is_picture(item);
            self.covers.extend(clipped(item).map(|area| Cover { area, order, is_picture }));
        }
    }
}

fn read(
    text: std::pin::Pin<&dyn RenderText>,
    item: &ItemRc,
    adapter: &WindowAdapterRc,
    order: usize,
) -> Option<Text> {
    let PlainOrStyledText::Plain(string) = text.text() else { return None };
    let font_size = text.font_request(item).pixel_size?.get();
    let room = absolute(item);
    if string.trim().is_empty() || room.is_empty() {
        return None;
    }
    let renderer = adapter.renderer();
    let measured = |width| renderer.text_size(text, item, width, text.wrap());
    let needs = match text.wrap() {
        TextWrap::NoWrap => measured(None),
        // The space at which a line ends counts there, and is not seen.
        _ => measured(Some(LogicalLength::new(room.width())))
            .min(LogicalSize::new(room.width(), f32::MAX)),
    };
    let longest_word =
        renderer.text_content_widths(text, item).map_or(0.0, |widths| widths.min.get());
    let wraps = text.wrap() != TextWrap::NoWrap;
    // Slint rounds half a pixel away before it leaves letters out.
    let too_wide = room.width() + 0.5 < if wraps { longest_word } else { needs.width };
    // With an ellipsis, a line that does not fit as a whole is left out, but for the first.
    let elides = text.overflow() == TextOverflow::Elide;
    let lines = needs.height / (1.3 * font_size);
    let too_high = elides && 1.5 < lines && room.height() + 0.5 < needs.height;
    let shortened = too_wide || too_high;
    let ink = ink(needs, room, text.alignment(), font_size);
    Some(Text {
        text: string.to_string(),
        element: element(item),
        font_size,
        colour: text.color().color(),
        ink: if shortened && elides { room.intersection(&ink)? } else { ink },
        room: clipped(item)?,
        shortened,
        order,
    })
}

/// Where the letters of a text are that needs so much room, without the empty part of its first and last line.
fn ink(
    needs: LogicalSize,
    room: LogicalRect,
    (across, along): (TextHorizontalAlignment, TextVerticalAlignment),
    font_size: f32,
) -> LogicalRect {
    let (free_x, free_y) = (room.width() - needs.width, room.height() - needs.height);
    let x = match across {
        TextHorizontalAlignment::Center => free_x / 2.0,
        TextHorizontalAlignment::Right | TextHorizontalAlignment::End => free_x,
        _ => 0.0,
    };
    let y = match along {
        TextVerticalAlignment::Center => free_y / 2.0,
        TextVerticalAlignment::Bottom => free_y,
        _ => 0.0,
    };
    let (above, below) = (ABOVE * font_size, BELOW * font_size);
    let at = room.origin + LogicalSize::new(x, y + above).to_vector();
    LogicalRect::new(at, LogicalSize::new(needs.width, needs.height - above - below))
}

fn is_opaque(item: &ItemRc) -> bool {
    let brush = if let Some(plain) = item.downcast::<Rectangle>() {
        plain.as_pin_ref().background()
    } else if let Some(bordered) = item.downcast::<BasicBorderRectangle>() {
        bordered.as_pin_ref().background()
    } else if let Some(bordered) = item.downcast::<BorderRectangle>() {
        bordered.as_pin_ref().background()
    } else {
        return false;
    };
    brush.color().alpha() == 255
}

/// Icons are masks in one colour, which let through what is behind.
fn is_picture(item: &ItemRc) -> bool {
    let (source, colour) = if let Some(image) = item.downcast::<ImageItem>() {
        let image = image.as_pin_ref();
        (image.source(), image.colorize())
    } else if let Some(image) = item.downcast::<ClippedImage>() {
        let image = image.as_pin_ref();
        (image.source(), image.colorize())
    } else {
        return false;
    };
    colour.is_transparent() && 0 < source.size().width
}

/// Where an item is on the window.
fn absolute(item: &ItemRc) -> LogicalRect {
    let geometry = item.geometry();
    LogicalRect::new(item.map_to_window(geometry.origin), geometry.size)
}

/// The part of it that its surroundings let be seen and touched.
fn clipped(item: &ItemRc) -> Option<LogicalRect> {
    let mut area = absolute(item);
    let mut above = item.parent_item(ParentItemTraversalMode::StopAtPopups);
    while let Some(around) = above {
        if around.borrow().as_ref().clips_children() {
            area = area.intersection(&absolute(&around))?;
        }
        above = around.parent_item(ParentItemTraversalMode::StopAtPopups);
    }
    Some(area)
}

/// What names an item, or the nearest thing around it that has a name and is no larger than it.
fn label(item: &ItemRc) -> String {
    let area = absolute(item);
    let mut at = Some(item.clone());
    while let Some(item) = at {
        let around = absolute(&item);
        if area.size.width + 1.0 < around.width() || area.size.height + 1.0 < around.height() {
            break;
        }
        let label = item.accessible_string_property(AccessibleStringProperty::Label);
        if let Some(label) = label.filter(|label| !label.is_empty()) {
            return label.to_string();
        }
        at = item.parent_item(ParentItemTraversalMode::StopAtPopups);
    }
    String::new()
}

fn element(item: &ItemRc) -> String {
    let named = item.element_type_names_and_ids(0).unwrap_or_default();
    let names = named.iter().map(|(kind, id)| if id.is_empty() { kind } else { id });
    let own = names.map(ToString::to_string).collect::<Vec<_>>().join("<");
    let mut at = item.parent_item(ParentItemTraversalMode::StopAtPopups);
    while let Some(around) = at {
        let named = around.element_type_names_and_ids(0).unwrap_or_default();
        if let Some((kind, _)) = named.iter().find(|(kind, _)| is_ours(kind)) {
            return format!("{own} in {kind}");
        }
        at = around.parent_item(ParentItemTraversalMode::StopAtPopups);
    }
    own
}

/// Components of ours are called by more than what they are made of.
fn is_ours(kind: &str) -> bool {
    let basic = ["Rectangle", "Text", "Image", "TouchArea", "FocusScope", "Empty", "Clip"];
    !basic.contains(&kind) && !kind.ends_with("Layout")
}
