//! The run beside the one on the screen: when there should be one, where, and how it takes over.

use std::{sync::Arc, time::Instant};

use super::{
    Computer, Condition, Happening, Pictures, Run, State, Supervisor, beside, launch,
    machine::Event,
    placement::{Needs, Placement, Scale, offers, place_scaled},
};
use crate::catalogue::Demo;

fn needs(demo: &Demo) -> Needs {
    Needs { ranks: demo.ranks, threads: demo.threads, gpu: demo.gpu }
}

impl<P: Pictures> Supervisor<P> {
    /// Where a run of `demo` would be now.
    pub(super) fn place(&self, demo: &Demo) -> Placement {
        match demo.mpi && self.settings.remote.is_some() {
            true => {
                let mut computers = self.known();
                let is_stuck = |computer: &&mut Computer| self.stuck.contains(&computer.name);
                for computer in computers.others.iter_mut().filter(is_stuck) {
                    computer.condition = Condition::Silent;
                }
                place_scaled(needs(demo), self.scale, &computers, None)
            }
            false => {
                let scale = Scale { computers: Some(0), ..self.scale };
                place_scaled(needs(demo), scale, &self.computers.borrow(), None)
            }
        }
    }

    /// MPI processes of a run of `demo` there.
    pub(super) fn processes(&self, demo: &Demo, placement: &Placement) -> u16 {
        match placement.hosts.is_empty() {
            true => launch::processes(demo, &self.settings, placement.here),
            false => placement.ranks(),
        }
    }

    /// The run that should be there in advance, if any: for the next visitor, or to take over from the one on the screen.
    fn wanted_beside(&self) -> Option<(Arc<Demo>, Placement)> {
        if self.is_done || self.machine.is_quitting() {
            return None;
        }
        match self.machine.state() {
            State::Idle => {
                // What Slurm lends is for somebody who is there, not for somebody who may come.
                let is_lent = self.settings.remote.as_ref().is_some_and(|r| r.slurm.is_some());
                let demo = self.warm.as_ref().filter(|_| !is_lent)?;
                let placement = self.place(demo);
                (!placement.hosts.is_empty()).then(|| (Arc::clone(demo), placement))
            }
            State::Starting { demo, .. } | State::Running { demo, .. } if demo.resumes => {
                let placement = self.place(&demo);
                let is_more = self.said.placement.hosts.len() < placement.hosts.len()
                    && !self.machine.stays_here();
                let is_other = self.is_scale_new
                    && (placement.hosts != self.said.placement.hosts
                        || placement.here != self.said.placement.here
                        || placement.threads != self.said.placement.threads
                        || placement.processor_here != self.said.placement.processor_here);
                (is_more || is_other).then_some((demo, placement))
            }
            _ => None,
        }
    }

    /// What the run may be put on, and what it is on.
    pub(super) fn tell_scales(&mut self) {
        let (State::Starting { demo, .. } | State::Running { demo, .. }) = self.machine.state()
        else {
            return;
        };
        let computers = self.computers.borrow().clone();
        let others = match self.settings.remote {
            Some(_) => &computers.others[..],
            None => &[],
        };
        let offers = match demo.resumes && demo.mpi {
            true => offers(needs(&demo), others, (self.settings.cores, computers.equipment_here)),
            false => Vec::new(),
        };
        let threads = |placement: &Placement, processes| match placement.hosts.is_empty() {
            true => launch::threads(&demo, &self.settings, processes, placement.threads),
            false => placement.threads,
        };
        let is_at = |scale: &&Scale, placement: &Placement, processes: u16| {
            let there = place_scaled(needs(&demo), **scale, &computers, None);
            let is_here = there.hosts.is_empty();
            there.hosts == placement.hosts
                && (!is_here || there.processor_here == placement.processor_here)
                && (!is_here || self.processes(&demo, &there) == processes)
                && threads(&there, processes) == threads(placement, processes)
                && (!is_here || scale.computers == Some(0))
        };
        let said = &self.said;
        self.said.scale =
            offers.iter().find(|scale| is_at(scale, &said.placement, said.processes)).copied();
        let awaited = self.is_scale_new.then_some(self.scale);
        self.said.scale_awaited = awaited.filter(|scale| Some(*scale) != self.said.scale);
        if *self.said.offers != offers {
            self.said.offers = Arc::new(offers);
        }
    }

    /// When another run in advance may be started after one that failed.
    pub(super) fn start_again_at(&mut self) -> Option<Instant> {
        let waits = self.besides.standby().is_none() && self.wanted_beside().is_some();
        self.besides.not_before().filter(|_| waits)
    }

    /// Computers that seem well but did not answer about the end of a run take no part until the next visitor. Whoever is
    /// silent is left out for that, and is welcome when it is back.
    fn note_who_is_stuck(&mut self, now: Instant) {
        let computers = self.computers.borrow();
        let ready: Vec<&str> = computers
            .others
            .iter()
            .filter(|computer| computer.condition == Condition::Ready)
            .map(|computer| &computer.name[..])
            .collect();
        self.ready_since.retain(|name, _| ready.contains(&&name[..]));
        for name in &ready {
            if !self.ready_since.contains_key(*name) {
                self.ready_since.insert((*name).to_owned(), now);
            }
        }
        for (name, wanted) in self.besides.unreached.drain(..) {
            // One that came back since was away for a reason that is over.
            if self.ready_since.get(&name).is_some_and(|since| *since < wanted) {
                self.stuck.push(name);
            }
        }
        self.stuck.retain(|name| ready.contains(&&name[..]));
    }

    /// Starts, dismisses or calls the run that waits, as it has come to be wanted.
    pub(super) async fn tend(&mut self) {
        if !std::mem::take(&mut self.is_untended) {
            return;
        }
        let now = Instant::now();
        self.note_who_is_stuck(now);
        let wanted = self.wanted_beside();
        let is_running = matches!(self.machine.state(), State::Running { .. });
        if let Some(standby) = self.besides.standby() {
            let is_it = wanted.as_ref().is_some_and(|(demo, placement)| {
                standby.demo.id == demo.id
                    && standby.placement.hosts == placement.hosts
                    && standby.placement.here == placement.here
                    && standby.placement.processor_here == placement.processor_here
            });
            if !is_it {
                self.besides.dismiss_standby(now).await;
            } else if is_running && standby.stage == beside::Stage::Ready {
                standby.ask(now);
                if let Some(run) = &mut self.run {
                    run.save();
                }
            }
        }
        if self.besides.standby().is_none()
            && self.besides.may_start(now)
            && let Some((demo, placement)) = wanted
        {
            let processes = self.processes(&demo, &placement);
            match Run::start(&demo, &self.settings, &placement, true).await {
                Ok(run) => self.besides.add(run, demo, Arc::new(placement), processes),
                Err(fault) => {
                    log::warn!("{}: cannot be started in advance: {fault}", demo.id);
                    self.besides.failed(now);
                }
            }
        }
        if self.said.standby != self.besides.told() {
            self.publish();
        }
        // What was just published is what was just seen to.
        self.is_untended = false;
    }

    /// What has happened to a run beside the one on the screen.
    pub(super) async fn see_beside(
        &mut self,
        place: usize,
        happening: Option<Happening>,
    ) -> Option<Event> {
        let now = Instant::now();
        self.is_untended = true;
        let frame = match &happening {
            Some(Happening::Frame(header)) => Some(*header),
            _ => None,
        };
        let is_hello = matches!(happening, Some(Happening::Hello(_)));
        let takes_over = self.besides.see(place, happening, now).await;
        if let (true, Some(standby), Some(values)) =
            (is_hello, self.besides.standby(), &self.values)
            && let Some(run) = &mut standby.run
        {
            values.all().for_each(|control| run.control(control));
        }
        let demo = match self.machine.state() {
            State::Running { demo, .. } if takes_over => demo,
            _ => return None,
        };
        let standby = self.besides.take_standby()?;
        let (Some(mut run), Some(hello)) = (standby.run, standby.hello) else { return None };
        let before = std::mem::replace(&mut self.said.placement, standby.placement);
        let far = !self.said.placement.hosts.is_empty();
        self.said.processes = standby.processes;
        self.said.statistics = None;
        self.is_scale_new = false;
        self.pictures.end();
        self.pictures.begin(&hello);
        self.is_showing = true;
        self.said.hello = Some(Arc::new(hello));
        if let Some(header) = frame {
            self.pictures.picture(&header, run.pixels());
        }
        if let Some(old) = &self.run {
            run.take_fingers(old);
        }
        if let Some(old) = self.run.replace(run) {
            self.besides.retire(old, demo, before, now).await;
        }
        self.machine.handle(Event::Placed { far }, now);
        self.publish();
        Some(Event::Frame)
    }
}
