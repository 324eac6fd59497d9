//! What a visitor should hear of where the run is: who is left out, and that it carries on.

use wire::WireError;

use crate::{
    supervisor::{Condition, Fault, Status},
    ui,
};

/// The temperature that a computer which is left out has to cool down to, degrees Celsius.
pub fn cools_to(status: &Status) -> Option<f64> {
    status.placement.left_out.iter().find_map(|(_, condition)| match condition {
        Condition::Hot { limit_celsius, .. } => Some(*limit_celsius),
        _ => None,
    })
}

/// The news of a run, and whom or how many it is about.
pub fn of(status: &Status) -> Option<(ui::DemoNews, String)> {
    let placement = &status.placement;
    let is_foreign = matches!(status.carried_on, Some(Fault::Garbage(WireError::Version(_))));
    let news = match (&placement.left_out[..], placement.hosts.is_empty()) {
        (_, true) if is_foreign => Some((ui::DemoNews::Foreign, String::new())),
        ([], _) => (status.carried_on.is_some()).then_some((ui::DemoNews::Again, String::new())),
        (_, true) => Some((ui::DemoNews::Alone, String::new())),
        ([(name, condition)], false) => {
            let news = match condition {
                Condition::Ready => return None,
                Condition::Awaited => ui::DemoNews::Awaited,
                Condition::Silent => ui::DemoNews::Silent,
                Condition::Hot { .. } => ui::DemoNews::Hot,
                Condition::Throttled => ui::DemoNews::Throttled,
            };
            Some((news, name.clone()))
        }
        (several, false) => Some((ui::DemoNews::Several, several.len().to_string())),
    };
    news.or_else(|| status.carried_on.as_ref().map(|_| (ui::DemoNews::Again, String::new())))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::supervisor::{Placement, placement::Host};

    fn status(hosts: &[&str], left_out: &[(&str, Condition)]) -> Status {
        let host = |name: &&str| Host { name: (*name).into(), address: (*name).into(), ranks: 1 };
        let left_out = left_out.iter().map(|(name, why)| ((*name).to_owned(), *why)).collect();
        let placement = Placement { hosts: hosts.iter().map(host).collect(), left_out };
        Status { placement: Arc::new(placement), ..Status::default() }
    }

    #[test]
    fn who_is_left_out_is_named_with_the_reason() {
        let hot = Condition::Hot { celsius: 91.0, limit_celsius: 85.0 };
        for (condition, news) in [
            (Condition::Silent, ui::DemoNews::Silent),
            (hot, ui::DemoNews::Hot),
            (Condition::Throttled, ui::DemoNews::Throttled),
            (Condition::Awaited, ui::DemoNews::Awaited),
        ] {
            let status = status(&["major-tom"], &[("ground-control", condition)]);
            assert_eq!(of(&status), Some((news, "ground-control".into())));
            assert_eq!(cools_to(&status), (news == ui::DemoNews::Hot).then_some(85.0));
        }
    }

    #[test]
    fn several_are_counted_and_nobody_means_here() {
        let silent = [("a", Condition::Silent), ("b", Condition::Silent)];
        assert_eq!(of(&status(&["c"], &silent)), Some((ui::DemoNews::Several, "2".into())));
        assert_eq!(of(&status(&[], &silent)), Some((ui::DemoNews::Alone, String::new())));
    }

    #[test]
    fn a_run_as_it_should_be_is_no_news_but_one_that_was_started_again_is() {
        let well = status(&["a", "b"], &[]);
        assert_eq!(of(&well), None);
        assert_eq!(of(&status(&[], &[])), None, "a kiosk without a cluster");
        let fault = Some(Fault::Garbage(WireError::Version(2)));
        let foreign = Status { carried_on: fault, ..status(&[], &[]) };
        assert_eq!(of(&foreign), Some((ui::DemoNews::Foreign, String::new())));
        let again = Status { carried_on: Some(Fault::Hung { after_s: 2.5 }), ..well };
        assert_eq!(of(&again), Some((ui::DemoNews::Again, String::new())));
    }
}
