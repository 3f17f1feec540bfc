import { Counter, Histogram } from '../../../lib/observe/accumulators';
import { exposition } from '../../../lib/observe/prometheus';

test('buckets are cumulative, their bounds inclusive, and labels are escaped', async () => {
  const histogram = new Histogram({ name: 'h', help: 'h', labels: ['l'] }, [1, 2]);
  for (const seconds of [0.5, 1, 1.5, 7]) histogram.observe(['a"b'], seconds);
  const { text } = await exposition([histogram.family()]);
  expect(text.split('\n').filter((line) => line.startsWith('h'))).toEqual([
    'h_bucket{le="1",l="a\\"b"} 2',
    'h_bucket{le="2",l="a\\"b"} 3',
    'h_bucket{le="+Inf",l="a\\"b"} 4',
    'h_sum{l="a\\"b"} 10',
    'h_count{l="a\\"b"} 4',
  ]);
});

test('labels without end cannot fill the memory', () => {
  const counter = new Counter({ name: 'c', help: 'c', labels: ['l'] });
  for (let index = 0; index < 3000; index++) counter.add([`value ${index}`]);
  const { samples } = counter.family();
  expect(samples.length).toBeLessThanOrEqual(1001);
  expect(samples.find(({ labels }) => labels[0] === 'other')).toMatchObject({ value: 2000 });
});
