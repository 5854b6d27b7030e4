//! Noise for 2^20 coordinates at several σ, beside the keystream it is drawn from.

use std::hint::black_box;

use aes::Aes128Enc;
use aes::cipher::{KeyIvInit, StreamCipher};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use secagg::privacy::{GaussianNoise, Variance};

const COORDINATES: usize = 1 << 20;

fn noise(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("2^20 coordinates");
    group.sample_size(10).throughput(Throughput::Elements(COORDINATES as u64));
    group.bench_function("keystream, 8 bytes each", |bencher| {
        let mut bytes = vec![0; 8 * COORDINATES];
        bencher.iter(|| {
            let mut cipher = ctr::Ctr128BE::<Aes128Enc>::new(&[1; 16].into(), &[2; 16].into());
            cipher.apply_keystream(&mut bytes);
            black_box(&mut bytes);
        });
    });
    for sigma in [1.3, 4.0, 100.0, 1e4, 1e6] {
        let Ok(variance) = Variance::at_least(sigma) else { continue };
        let sampler = GaussianNoise::new(variance);
        group.bench_function(format!("discrete Gaussian, σ {sigma}"), |bencher| {
            bencher.iter(|| black_box(sampler.draw(&[3; 32], COORDINATES)));
        });
    }
    group.finish();
}

criterion_group!(benches, noise);
criterion_main!(benches);
