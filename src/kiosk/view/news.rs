//! What a visitor should hear of where the run is: who is left out, and that it carries on.

use wire::WireError;

use crate::{
    slurm::said::Why,
    supervisor::{Condition, Fault, Standby, Status},
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
    let is_taken = |(_, condition): &(String, Condition)| *condition == Condition::Taken;
    // Why a run is on this computer alone says more than who is missing.
    let refused = match status.carried_on {
        Some(Fault::NotAllocated { .. }) => Some(ui::DemoNews::Refused),
        Some(Fault::Revoked { .. }) => Some(ui::DemoNews::Revoked),
        Some(Fault::Garbage(WireError::Version(_))) => Some(ui::DemoNews::Foreign),
        _ if placement.left_out.iter().any(is_taken) => Some(ui::DemoNews::SomebodyElse),
        _ => None,
    };
    if let Some(refused) = refused.filter(|_| placement.hosts.is_empty()) {
        return Some((refused, String::new()));
    }
    let news = match (&placement.left_out[..], placement.hosts.is_empty()) {
        ([], true) if status.standby != Standby::None && status.carried_on.is_none() => {
            let news = match status.standby {
                Standby::Queued(Why::Others) => ui::DemoNews::SomebodyElse,
                Standby::Queued(_) => ui::DemoNews::Queued,
                _ => ui::DemoNews::Starting,
            };
            Some((news, String::new()))
        }
        ([], _) => (status.carried_on.is_some()).then_some((ui::DemoNews::Again, String::new())),
        (_, true) if status.standby == Standby::None => Some((ui::DemoNews::Alone, String::new())),
        ([(name, condition)], _) => {
            let news = match condition {
                Condition::Ready => return None,
                Condition::Awaited => ui::DemoNews::Awaited,
                Condition::Silent => ui::DemoNews::Silent,
                Condition::Hot { .. } => ui::DemoNews::Hot,
                Condition::Throttled => ui::DemoNews::Throttled,
                Condition::Taken => ui::DemoNews::Taken,
                Condition::OutOfService => ui::DemoNews::OutOfService,
            };
            Some((news, name.clone()))
        }
        (several, _) => Some((ui::DemoNews::Several, several.len().to_string())),
    };
    news.or_else(|| status.carried_on.as_ref().map(|_| (ui::DemoNews::Again, String::new())))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wire::channel::Processor;

    use super::*;
    use crate::supervisor::{Placement, placement::Host};

    fn status(hosts: &[&str], left_out: &[(&str, Condition)]) -> Status {
        let host = |name: &&str| {
            let (name, address, processor) = ((*name).into(), (*name).into(), Processor::Auto);
            Host { name, address, ranks: 1, processor }
        };
        let left_out = left_out.iter().map(|(name, why)| ((*name).to_owned(), *why)).collect();
        let placement =
            Placement { hosts: hosts.iter().map(host).collect(), left_out, ..Placement::default() };
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
            (Condition::Taken, ui::DemoNews::Taken),
            (Condition::OutOfService, ui::DemoNews::OutOfService),
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
    fn a_run_that_begins_here_while_the_others_start_says_so() {
        let starting = Status { standby: Standby::Starting(2), ..status(&[], &[]) };
        assert_eq!(of(&starting), Some((ui::DemoNews::Starting, String::new())));
        for (why, news) in [
            (Why::Queue, ui::DemoNews::Queued),
            (Why::Unavailable, ui::DemoNews::Queued),
            (Why::Others, ui::DemoNews::SomebodyElse),
        ] {
            let queued = Status { standby: Standby::Queued(why), ..status(&[], &[]) };
            assert_eq!(of(&queued), Some((news, String::new())));
        }
        let one_is_silent = status(&[], &[("a", Condition::Silent)]);
        let one_is_silent = Status { standby: Standby::Starting(1), ..one_is_silent };
        assert_eq!(of(&one_is_silent), Some((ui::DemoNews::Silent, "a".into())));
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

    #[test]
    fn why_slurm_gives_no_computer_is_said() {
        let taken = [("a", Condition::Taken), ("b", Condition::Silent)];
        let said = |status: &Status| of(status).unwrap().0;
        assert_eq!(said(&status(&[], &taken)), ui::DemoNews::SomebodyElse);
        assert_eq!(said(&status(&["c"], &taken)), ui::DemoNews::Several);
        let why = || "Slurm's words".to_owned();
        for (fault, news) in [
            (Fault::NotAllocated { why: why() }, ui::DemoNews::Refused),
            (Fault::Revoked { why: why() }, ui::DemoNews::Revoked),
        ] {
            let status = Status { carried_on: Some(fault), ..status(&[], &[]) };
            assert_eq!(said(&status), news);
        }
    }
}
