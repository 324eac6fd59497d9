//! The whole kiosk on a screen that exists only in memory: real worker, real supervisor, real demos, real time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "every program that includes it uses its own part of it")]

use std::{
    future::Future,
    time::{Duration, Instant},
};

use i_slint_backend_testing::{
    AccessibleRole, ElementHandle, ElementQuery, TestingBackend, TestingBackendOptions,
};
use kiosk::{
    program::{Kiosk, Setup},
    ui,
};
use slint::{
    ComponentHandle, LogicalPosition, Rgba8Pixel, SharedPixelBuffer,
    platform::{PointerEventButton, WindowEvent},
};

/// Starts the kiosk, lets `visit` use it and ends both; `visit` runs on the UI thread beside the event loop.
pub fn visit<F: Future<Output = ()> + 'static>(
    setup: Setup,
    visit: impl FnOnce(Visitor) -> F,
) -> anyhow::Result<()> {
    let options = TestingBackendOptions {
        mock_time: false,
        threading: true,
        renderer_name: Some("software".into()),
    };
    slint::platform::set_platform(Box::new(TestingBackend::new(options)))?;
    let app = ui::App::new()?;
    app.show()?;
    app.window().set_size(slint::LogicalSize::new(800.0, 480.0));
    app.window().dispatch_event(WindowEvent::WindowActiveChanged(true));
    let kiosk = Kiosk::start(&app, setup)?;
    let visit = visit(Visitor { app: app.clone_strong() });
    // A failed assertion in the visit must end the process, not leave an event loop without a visitor.
    let outcome = std::rc::Rc::new(std::cell::Cell::new(None));
    let said = std::rc::Rc::clone(&outcome);
    slint::spawn_local(async move {
        said.set(Some(CatchUnwind(Box::pin(visit)).await));
        let _ = slint::quit_event_loop();
    })?;
    app.run()?;
    kiosk.stop()?;
    match outcome.take() {
        Some(Ok(())) => Ok(()),
        Some(Err(panic)) => std::panic::resume_unwind(panic),
        None => anyhow::bail!("the kiosk ended before the visit did"),
    }
}

struct CatchUnwind<F>(std::pin::Pin<Box<F>>);

impl<F: Future> Future for CatchUnwind<F> {
    type Output = std::thread::Result<F::Output>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        let poll = std::panic::AssertUnwindSafe(|| self.0.as_mut().poll(context));
        match std::panic::catch_unwind(poll) {
            Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
            Ok(std::task::Poll::Ready(output)) => std::task::Poll::Ready(Ok(output)),
            Err(panic) => std::task::Poll::Ready(Err(panic)),
        }
    }
}

/// Where `hpc-kiosk` lies: one folder above this test's or example's own program.
pub fn executable() -> std::path::PathBuf {
    let own = std::env::current_exe().expect("this program lies somewhere");
    let folder = own.parent().and_then(std::path::Path::parent).expect("below a build folder");
    let executable = folder.join("hpc-kiosk");
    let warden = folder.join("hpc-kiosk-warden");
    assert!(warden.is_file(), "{} is missing; run cargo build --workspace first", warden.display());
    executable
}

/// Somebody in front of the screen.
pub struct Visitor {
    pub app: ui::App,
}

impl Visitor {
    /// Waits until `holds`, looking every 10 ms, and fails after `limit`.
    pub async fn until(&self, what: &str, limit: Duration, mut holds: impl FnMut(&Self) -> bool) {
        let since = Instant::now();
        while !holds(self) {
            assert!(since.elapsed() < limit, "waited {limit:?} in vain for: {what}");
            pause(Duration::from_millis(10)).await;
        }
    }

    /// A short touch of the only button with this label.
    pub fn tap(&self, label: &str) {
        let button = self.button(label).unwrap_or_else(|| panic!("there is no button '{label}'"));
        let (at, size) = (button.absolute_position(), button.size());
        let middle = (at.x + size.width / 2.0, at.y + size.height / 2.0);
        self.down(middle);
        self.up(middle);
    }

    /// The button with this label.
    pub fn button(&self, label: &str) -> Option<ElementHandle> {
        let wanted = label.to_owned();
        ElementQuery::from_root(&self.app)
            .match_descendants()
            .match_accessible_role(AccessibleRole::Button)
            .match_predicate(move |element| {
                element.accessible_label().is_some_and(|label| label == wanted.as_str())
            })
            .find_first()
    }

    /// A finger goes down.
    pub fn down(&self, (x, y): (f32, f32)) {
        let position = LogicalPosition::new(x, y);
        let button = PointerEventButton::Left;
        self.app.window().dispatch_event(WindowEvent::PointerMoved { position });
        self.app.window().dispatch_event(WindowEvent::PointerPressed { position, button });
    }

    /// It moves.
    pub fn moved(&self, (x, y): (f32, f32)) {
        let position = LogicalPosition::new(x, y);
        self.app.window().dispatch_event(WindowEvent::PointerMoved { position });
    }

    /// It is lifted.
    pub fn up(&self, (x, y): (f32, f32)) {
        let position = LogicalPosition::new(x, y);
        let button = PointerEventButton::Left;
        self.app.window().dispatch_event(WindowEvent::PointerReleased { position, button });
        self.app.window().dispatch_event(WindowEvent::PointerExited);
    }

    /// A finger drags over these points, a new one every 16 ms.
    pub async fn drag(&self, points: &[(f32, f32)]) {
        self.down(points[0]);
        for point in points {
            self.moved(*point);
            pause(Duration::from_millis(16)).await;
        }
        self.up(points[points.len() - 1]);
    }

    /// A short press of a key.
    pub fn press(&self, text: impl Into<slint::SharedString>) {
        let text = text.into();
        self.app.window().dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
        self.app.window().dispatch_event(WindowEvent::KeyReleased { text });
    }

    /// Which page is shown.
    pub fn page(&self) -> ui::Page {
        self.app.global::<ui::WindowView>().get_page()
    }

    /// The screen as pixels.
    pub fn pixels(&self) -> SharedPixelBuffer<Rgba8Pixel> {
        self.app.window().take_snapshot().expect("the software renderer takes snapshots")
    }
}

/// Lets the event loop run on for so long.
pub async fn pause(time: Duration) {
    let (done, over) = tokio::sync::oneshot::channel();
    slint::Timer::single_shot(time, move || {
        // Whoever waited may be gone.
        let _ = done.send(());
    });
    let _ = over.await;
}
