import type { ThemeDefinition } from 'vuetify';

/**
 * All colours of the console. Text on `background` and `surface` in `on-surface`, `muted`, `primary` and the colours of
 * states has a contrast of 4.5 : 1 or more in both themes.
 */

const variables = {
  'high-emphasis-opacity': 1,
  'medium-emphasis-opacity': 0.85,
  'border-opacity': 1,
};

export const light: ThemeDefinition = {
  dark: false,
  colors: {
    background: '#f5f6f8',
    surface: '#ffffff',
    raised: '#f0f2f5',
    'on-background': '#1b2430',
    'on-surface': '#1b2430',
    muted: '#55606e',
    line: '#d9dee5',
    edge: '#8a94a1',
    primary: '#1f5fa8',
    'on-primary': '#ffffff',
    success: '#1b6e3c',
    warning: '#8a5300',
    error: '#b3261e',
    info: '#1f5fa8',
    idle: '#55606e',
    'on-error': '#ffffff',
  },
  variables: { ...variables, 'border-color': '#d9dee5' },
};

export const dark: ThemeDefinition = {
  dark: true,
  colors: {
    background: '#12161c',
    surface: '#1a2028',
    raised: '#232b35',
    'on-background': '#e4e9ef',
    'on-surface': '#e4e9ef',
    muted: '#a3afbd',
    line: '#333d49',
    edge: '#6b7786',
    primary: '#7db4f0',
    'on-primary': '#0d1a29',
    success: '#6fcf97',
    warning: '#f0b35a',
    error: '#ff8a80',
    info: '#7db4f0',
    idle: '#a3afbd',
    'on-error': '#2b0906',
  },
  variables: { ...variables, 'border-color': '#333d49' },
};
