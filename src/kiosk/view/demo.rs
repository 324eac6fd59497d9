//! The page of a demo that starts or runs: its numbers, captions and controls.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use slint::{ComponentHandle, Model, ModelRc, SharedString, VecModel};
use wire::demo::{Text, Unit};

use super::{
    fault::Ending,
    navigation::Navigation,
    news,
    numbers::{Language, celsius},
    scales::Scales,
};
use crate::{
    catalogue::{Control, ControlKind, Demo},
    slurm::said::Why,
    supervisor::{Placement, Standby, State, Status},
    ui,
};

/// How long a caption stays.
const CAPTION_SHOWN: Duration = Duration::from_secs(6);
/// Steps that a key takes from one end of a slider to the other.
const SLIDER_STEPS: f64 = 8.0;

/// What the page keeps of the run it shows.
pub struct Run {
    /// The demo's folder name.
    demo: Option<String>,
    launched: Option<Instant>,
    /// The visitor wants it to go on: neither stopped nor over.
    on: bool,
    painted: bool,
    /// What the demo said last, and since when it is shown.
    text: Option<Arc<Text>>,
    caption_since: Option<Instant>,
    /// Where the run is, as far as that was news, and since when it is shown.
    placement: Option<Arc<Placement>>,
    news_since: Option<Instant>,
    values: Vec<f64>,
    controls: Rc<VecModel<ui::DemoControl>>,
    scales: Scales,
    /// Whether it began on this machine because the others were not ready.
    began_here: bool,
}

impl Run {
    /// Connects the page of `app`.
    pub fn new(app: &ui::App) -> Self {
        let controls = Rc::new(VecModel::default());
        app.global::<ui::DemoView>().set_controls(ModelRc::from(Rc::clone(&controls)));
        Self {
            demo: None,
            launched: None,
            on: false,
            painted: false,
            text: None,
            caption_since: None,
            placement: None,
            news_since: None,
            values: Vec::new(),
            controls,
            scales: Scales::new(app),
            began_here: false,
        }
    }

    /// A visitor asked for `demo`.
    pub fn launch(&mut self, demo: &Demo, now: Instant) {
        self.demo = Some(demo.id.clone());
        self.launched = Some(now);
        self.on = true;
        self.values = demo.controls.iter().map(|control| control.default).collect();
        self.controls.set_vec(Vec::new());
        self.painted = false;
        self.text = None;
        self.caption_since = None;
        self.placement = None;
        self.news_since = None;
        self.began_here = false;
    }

    /// The visitor has left it, or it is over.
    pub fn leave(&mut self) {
        self.on = false;
    }

    /// Whether this demo was asked for and is neither left nor over.
    pub fn is_on(&self, demo: &str) -> bool {
        self.on && self.demo() == Some(demo)
    }

    /// Whether `ending` is the end of this run and not of the one before it.
    pub fn is_ended_by(&self, ending: &Ending) -> bool {
        let launched = self.launched.is_some_and(|launched| launched <= ending.since);
        launched && self.is_on(&ending.demo.id)
    }

    /// Whether `status` speaks of this run and not of the one before it.
    pub fn is_shown_by(&self, status: &Status) -> bool {
        let (State::Starting { demo, since, .. } | State::Running { demo, since, .. }) =
            &status.state
        else {
            return false;
        };
        self.demo() == Some(&demo.id) && self.launched.is_some_and(|launched| launched <= *since)
    }

    /// A picture of the run was shown; says whether it is the first.
    pub fn paint(&mut self, now: Instant) -> bool {
        if self.painted {
            return false;
        }
        self.painted = true;
        self.caption_since = Some(now);
        true
    }

    /// Whether a picture of this run was shown.
    pub fn painted(&self) -> bool {
        self.painted
    }

    /// The folder name of the demo.
    pub fn demo(&self) -> Option<&str> {
        self.demo.as_deref()
    }

    /// The value of a control.
    pub fn value(&self, control: usize) -> Option<f64> {
        self.values.get(control).copied()
    }

    /// A control was moved.
    pub fn set_value(&mut self, control: usize, value: f64) {
        if let Some(known) = self.values.get_mut(control) {
            *known = value;
        }
    }

    /// Fills the page with what is known at `now`.
    pub fn show(
        &mut self,
        app: &ui::App,
        demo: &Demo,
        status: &Status,
        navigation: &Navigation,
        now: Instant,
    ) {
        let language = navigation.language;
        let view = app.global::<ui::DemoView>();
        view.set_title(demo.text(language.code()).map_or("", |text| &text.title).into());
        view.set_painted(self.painted);
        if !self.painted {
            let waited = self.launched.map_or(Duration::ZERO, |since| now.duration_since(since));
            view.set_waited(language.decimal(waited.as_secs_f64(), 1).into());
            let queue = status.queue.filter(|_| self.is_shown_by(status));
            let limit = queue.map_or(demo.first_frame, |queue| queue.limit);
            view.set_waited_share((waited.as_secs_f64() / limit.as_secs_f64()) as f32);
            view.set_queue(queue.map_or(ui::DemoQueue::None, |queue| match queue.why {
                Why::Queue => ui::DemoQueue::Waits,
                Why::Others => ui::DemoQueue::Others,
                Why::Unavailable => ui::DemoQueue::Unavailable,
            }));
            let starting = matches!(status.state, State::Starting { .. });
            view.set_processes(if starting { i32::from(status.processes) } else { 0 });
        }
        let speed = match self.is_shown_by(status) {
            true => speed(status, language).unwrap_or_default(),
            false => Speed::default(),
        };
        view.set_updates(speed.updates);
        view.set_step_count(speed.step_count);
        view.set_steps(speed.steps);
        view.set_droplets(speed.droplets);
        view.set_caption(self.caption(demo, status, language, now));
        let (news, whom) = self.news(status, now).unwrap_or_default();
        view.set_news(news);
        view.set_news_of(whom.into());
        view.set_news_cools_to(news::cools_to(status).map_or(String::new(), celsius).into());
        if self.is_shown_by(status) {
            self.scales.learn(&demo.id, status);
        }
        self.scales.show(&demo.id, status, language);
        view.set_scales_open(navigation.scales && self.painted);
        view.set_focused_scale(navigation.scale.map_or(-1, |row| row as i32));
        view.set_drawer_open(navigation.drawer);
        view.set_focused_control(navigation.control.map_or(-1, |control| control as i32));
        self.show_controls(demo, language);
    }

    /// The demo's newest words, or its line right after the first picture, for six seconds.
    fn caption(
        &mut self,
        demo: &Demo,
        status: &Status,
        language: Language,
        now: Instant,
    ) -> SharedString {
        if status.text.is_some() && status.text != self.text && self.painted {
            self.text = status.text.clone();
            self.caption_since = Some(now);
        }
        let shown =
            self.caption_since.is_some_and(|since| now.duration_since(since) < CAPTION_SHOWN);
        if !shown {
            return SharedString::default();
        }
        match &self.text {
            Some(text) => sentence(text, language).into(),
            None => demo.text(language.code()).map_or("", |text| &text.line).into(),
        }
    }

    /// What is to be told of where the run is, for as long as a caption is shown; from the first picture on, or from when it
    /// changes.
    fn news(&mut self, status: &Status, now: Instant) -> Option<(ui::DemoNews, String)> {
        let is_shown = self.painted && self.is_shown_by(status);
        let is_new = |known: &Arc<Placement>| !Arc::ptr_eq(known, &status.placement);
        if is_shown && self.placement.as_ref().is_none_or(is_new) {
            self.placement = Some(Arc::clone(&status.placement));
            self.news_since = Some(now);
        }
        let since = self.news_since.filter(|_| is_shown)?;
        if status.placement.hosts.is_empty() {
            self.began_here |= status.standby != Standby::None;
        } else if self.began_here && status.carried_on.is_none() {
            let count = status.placement.hosts.len().to_string();
            let is_new = now.duration_since(since) < CAPTION_SHOWN;
            return is_new.then_some((ui::DemoNews::Joined, count));
        }
        news::of(status).filter(|_| now.duration_since(since) < CAPTION_SHOWN)
    }

    fn show_controls(&self, demo: &Demo, language: Language) {
        let rows = demo.controls.iter().zip(&self.values);
        let rows = rows.map(|(control, value)| control_row(control, *value, language));
        if self.controls.row_count() != demo.controls.len() {
            self.controls.set_vec(rows.collect::<Vec<_>>());
            return;
        }
        for (index, row) in rows.enumerate() {
            let shown = self.controls.row_data(index);
            if shown.is_none_or(|shown| !same_row(&shown, &row)) {
                self.controls.set_row_data(index, row);
            }
        }
    }
}

/// The value a key gives a control: the next choice, an eighth of a slider on, both starting over at the end.
pub fn next_value(control: &Control, value: f64) -> Option<f64> {
    let (minimum, maximum) = (control.min, control.max);
    let step = match control.kind {
        ControlKind::Choice => 1.0,
        ControlKind::Slider => (maximum - minimum) / SLIDER_STEPS,
        ControlKind::Button => return Some(control.max),
    };
    // Half a step of tolerance, so that rounding never skips the end.
    Some(if value + step / 2.0 < maximum { (value + step).min(maximum) } else { minimum })
}

/// How fast the run is.
#[derive(Debug, Default, PartialEq)]
struct Speed {
    updates: SharedString,
    step_count: i32,
    steps: SharedString,
    droplets: bool,
}

fn speed(status: &Status, language: Language) -> Option<Speed> {
    let statistics = status.statistics.as_ref()?;
    let seconds = f64::from(statistics.interval_s);
    let steps = statistics.steps as f64 / seconds;
    Some(Speed {
        updates: language.three_digits(statistics.updates as f64 / seconds / 1e6).into(),
        step_count: steps.round() as i32,
        steps: language.whole(steps).into(),
        droplets: statistics.unit == Unit::Droplets,
    })
}

/// The sentence in `language`, else in English, else in whatever there is.
fn sentence(text: &Text, language: Language) -> &str {
    let find = |code: &str| text.sentences.iter().find(|(known, _)| known == code.as_bytes());
    let found = find(language.code()).or_else(|| find("en")).or(text.sentences.first());
    found.map_or("", |(_, sentence)| sentence)
}

fn control_row(control: &Control, value: f64, language: Language) -> ui::DemoControl {
    let text = control.text(language.code());
    let choices = text.map_or(&[][..], |text| &text.choices).iter();
    let choices: Vec<SharedString> = choices.map(|choice| choice.as_str().into()).collect();
    let shown = match control.kind {
        ControlKind::Slider => {
            let decimals = if control.max - control.min < 10.0 { 2 } else { 0 };
            let number = language.decimal(value, decimals);
            match control.unit.as_str() {
                "" => number,
                unit => format!("{number}\u{a0}{unit}"),
            }
        }
        ControlKind::Choice | ControlKind::Button => String::new(),
    };
    ui::DemoControl {
        kind: match control.kind {
            ControlKind::Choice => ui::ControlKind::Choice,
            ControlKind::Slider => ui::ControlKind::Slider,
            ControlKind::Button => ui::ControlKind::Button,
        },
        label: text.map_or("", |text| &text.label).into(),
        choices: ModelRc::new(VecModel::from(choices)),
        minimum: control.min as f32,
        maximum: control.max as f32,
        value: value as f32,
        text: shown.into(),
    }
}

/// Whether two rows look the same; models are compared by content, not by identity.
fn same_row(shown: &ui::DemoControl, row: &ui::DemoControl) -> bool {
    shown.choices.iter().eq(row.choices.iter())
        && ui::DemoControl { choices: row.choices.clone(), ..shown.clone() } == *row
}

#[cfg(test)]
mod tests {
    use wire::demo::Statistics;

    use super::*;

    #[test]
    fn speed_is_updates_and_steps_per_second() {
        let statistics = Statistics {
            interval_s: 0.5,
            steps: 600,
            updates: 600 * 320_000,
            ..Default::default()
        };
        let status = Status { statistics: Some(Arc::new(statistics)), ..Default::default() };
        let speed = speed(&status, Language::Polish).unwrap();
        assert_eq!((speed.updates.as_str(), speed.steps.as_str()), ("384", "1200"));
        assert!(!speed.droplets);
    }

    #[test]
    fn words_come_in_the_language_of_the_screen_or_in_english() {
        let said = |sentences: &[([u8; 2], &str)]| Text {
            sentences: sentences.iter().map(|(code, text)| (*code, (*text).to_owned())).collect(),
        };
        let both = said(&[(*b"pl", "Mieszaj."), (*b"en", "Stir.")]);
        assert_eq!(sentence(&both, Language::Polish), "Mieszaj.");
        assert_eq!(sentence(&said(&[(*b"en", "Stir.")]), Language::Polish), "Stir.");
        assert_eq!(sentence(&said(&[(*b"de", "Rühr.")]), Language::Polish), "Rühr.");
        assert_eq!(sentence(&said(&[]), Language::Polish), "");
    }
}
